"""Worker processes that draw pictures, and what starts, supervises and feeds them."""
