"""Speed, measured side by side: each path of the service beside what it is compared with."""
