"""Many lower problems that share x, by the blockwise variance-reduced method of Hu, Qiu, Guo, Zhang and Yang."""
