"""What runs on a GPU: the same numbers as on the CPU, the same run twice, and plain words where the device fails.

Where torch finds no GPU, `stand_in` plays one: the code for devices runs, and computes on the CPU.
"""
