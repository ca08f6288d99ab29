# "Bonded is never slower": the matrix as a program (tools/law runs it whole) and its short form.
file(GLOB law_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/*.cpp)
list(FILTER law_sources EXCLUDE REGEX "(_test|/main)\\.cpp$")
add_library(braid_law STATIC ${law_sources})
target_link_libraries(braid_law PUBLIC braid_link braid_mptcp)
add_executable(law ${CMAKE_CURRENT_LIST_DIR}/main.cpp)
target_link_libraries(law PRIVATE braid_law)
add_test(NAME law COMMAND law short)
set_tests_properties(law PROPERTIES TIMEOUT 600)
