"""What people sign: waivers (exceptions) and approvals, as documents and as DSSE statements."""
