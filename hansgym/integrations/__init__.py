"""Our tasks in other people's tools: one module for each, which that tool imports. Nothing here is heavy."""
