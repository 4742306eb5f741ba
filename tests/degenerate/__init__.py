"""Problems at the edge of what a kind allows, with what is known of each: every method gives that, or says why not."""
