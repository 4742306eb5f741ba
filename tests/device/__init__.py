"""What runs on a GPU: the same answers as on the CPU, the same run twice, and plain words where the device fails.

Modules here are passed over where torch finds no GPU.
"""
