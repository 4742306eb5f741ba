"""Methods that sliding is compared with: one gradient of f for each product with K, or restarts."""
