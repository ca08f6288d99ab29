# The rules of the house, as tests: tools/check over this tree, and tools/check itself.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_test(NAME house_rules COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tools/check)
add_test(NAME house_rules_check
         COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tests/support/check_test.py)
