"""A PostgreSQL server of one's own: made in a temporary folder, reached by a Unix socket, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class NoServerError(RuntimeError):
    """PostgreSQL's server programs aren't here; the message says where they were looked for."""


def server_programs() -> Path:
    """Return the folder with `initdb` and `postgres`: of the newest Debian package, or on the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    if path := shutil.which("initdb"):
        return Path(path).parent
    raise NoServerError("no initdb in /usr/lib/postgresql/*/bin or on the PATH (Debian: apt-get install postgresql)")


@contextmanager
def postgres_server() -> Iterator[str]:
    """Give the URL of a new, empty server that only this user reaches; raise `NoServerError` where there is none."""
    programs = server_programs()
    # A folder directly in /tmp: pytest's own can't be entered by another user, and a socket's path must be short.
    place = Path(tempfile.mkdtemp(prefix="twosessions-pg-"))
    options = _as_unprivileged(place)
    data = place / "data"
    try:
        subprocess.run(
            [programs / "initdb", "-D", data, "-U", "tester", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"],
            check=True, capture_output=True, text=True, cwd=place, **options,
        )  # fmt: skip
        start = f"-c listen_addresses='' -c unix_socket_directories='{place}' -c fsync=off"
        subprocess.run(
            [programs / "pg_ctl", "-D", data, "-w", "-l", place / "log", "-o", start, "start"],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=place, **options,
        )  # fmt: skip
        try:
            yield f"postgresql://tester@/postgres?host={place}"
        finally:
            subprocess.run(
                [programs / "pg_ctl", "-D", data, "-m", "immediate", "stop"], capture_output=True, cwd=place, **options
            )
    except subprocess.CalledProcessError as error:
        raise RuntimeError(f"{error.cmd[0]} failed: {error.stderr or (place / 'log').read_text()}") from error
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _as_unprivileged(place: Path) -> dict:
    """Return options of `subprocess.run` under which PostgreSQL starts: it refuses root."""
    if os.geteuid() != 0:
        return {}
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        user = pwd.getpwnam("nobody")
    os.chown(place, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
