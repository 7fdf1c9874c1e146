"""Our tasks in other people's tools: one subpackage or file for each, which that tool imports. Nothing here is heavy."""
