# Property tests: random operations against a slow, obvious model. A failure prints its seed;
# BRAID_PROPERTY_SEED=n runs that one alone, BRAID_PROPERTY_RUNS=n changes how many seeds are tried.
braid_tests(property_base tests/property/base braid_base)
braid_tests(property_mptcp tests/property/mptcp braid_mptcp)
braid_tests(property_tcp tests/property/tcp braid_tcp)
