"""Reports as HTML pages, each a single file that loads no other. Templates, plots and the rows of tables."""
