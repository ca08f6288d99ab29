# The tables of tests/conformance say which test shows which rule; they are held to it.
find_package(Python3 COMPONENTS Interpreter REQUIRED)
add_test(NAME conformance_tables
         COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/check_tables.py
                 ${CMAKE_SOURCE_DIR}/tests)
add_test(NAME conformance_check
         COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_LIST_DIR}/check_tables_test.py)
