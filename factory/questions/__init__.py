"""Questions about what is published: a file each. They read the registry and change nothing."""
