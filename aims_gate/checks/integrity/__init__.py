"""Is what was judged what was fetched, declared and run?"""
