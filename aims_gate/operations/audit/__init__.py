"""What auditors and reviewers ask for: samples, checklists, the audit pack, the review's inputs."""
