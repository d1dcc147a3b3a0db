"""Who works: processes, threads and clusters, and how they are interrupted."""
