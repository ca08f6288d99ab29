# What the gateway room links beside the stack, and the program.
