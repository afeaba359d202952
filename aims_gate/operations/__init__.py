"""What people do with the gate and its evidence."""
