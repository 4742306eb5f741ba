"""What `make docs` adds to the hand-written pages (reference, mathematics, order), and how pages are looked at."""
