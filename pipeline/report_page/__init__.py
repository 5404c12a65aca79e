"""A report as a folder of pages: `marks` in an article's text, `page` for the files, `folder` to write them."""
