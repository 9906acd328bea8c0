"""Many workers: processes that draw, who watches them, and who deals out the work."""
