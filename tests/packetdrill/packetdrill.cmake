# libbraid_packetdrill.so: see README.md here.
#
# It is loaded with RTLD_DEEPBIND into a program that is not ours, which neither position-dependent
# objects nor a sanitizer's runtime survive. So the rooms of stack/ it needs are compiled once more
# for it, position independent and plain; nothing else links them. A build with sanitizers would make the
# same library again, and has none.
if(BRAID_SANITIZE)
  return()
endif()
find_package(Threads REQUIRED)
set(shim_sources)
foreach(room base wire cc tcp sched mptcp ip)
  file(GLOB room_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/stack/${room}/*.cpp)
  list(APPEND shim_sources ${room_sources})
endforeach()
list(FILTER shim_sources EXCLUDE REGEX "/(lwip_layer|describe)\\.cpp$")
file(GLOB shim_own CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/shim/*.cpp)

add_library(braid_packetdrill SHARED ${shim_sources} ${shim_own})
set_target_properties(braid_packetdrill PROPERTIES
  POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
  LINK_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/exports.map)
target_include_directories(braid_packetdrill PRIVATE ${CMAKE_SOURCE_DIR})
target_compile_options(braid_packetdrill PRIVATE -Wall -Wextra -Wpedantic -Wshadow
                       -Wno-missing-field-initializers -Werror -O1 -g0)
target_link_libraries(braid_packetdrill PRIVATE fmt::fmt OpenSSL::Crypto Threads::Threads)
target_link_options(braid_packetdrill PRIVATE
  -Wl,--version-script=${CMAKE_CURRENT_LIST_DIR}/exports.map -Wl,-z,defs -Wl,--no-undefined)

# Its table of functions, called directly: what CI shows without packetdrill.
add_executable(test_packetdrill_table ${CMAKE_CURRENT_LIST_DIR}/table_test.cpp
               ${CMAKE_CURRENT_LIST_DIR}/table_mptcp_test.cpp)
target_link_libraries(test_packetdrill_table PRIVATE braid_mptcp braid_doctest_main ${CMAKE_DL_LIBS}
                      Threads::Threads)
target_compile_definitions(test_packetdrill_table PRIVATE
                           PACKETDRILL_LIBRARY="$<TARGET_FILE:braid_packetdrill>")
add_dependencies(test_packetdrill_table braid_packetdrill)
add_test(NAME packetdrill_table COMMAND test_packetdrill_table)

find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_test(NAME packetdrill_library
         COMMAND ${CMAKE_CURRENT_LIST_DIR}/check_library $<TARGET_FILE:braid_packetdrill>)
# The scripts, by the small reader beside them; and by packetdrill itself where BRAID_PACKETDRILL
# names it, else skipped.
add_test(NAME packetdrill_scripts
         COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/run_scripts --reader
                 $<TARGET_FILE:braid_packetdrill>)
add_test(NAME packetdrill_binary
         COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/run_scripts
                 $<TARGET_FILE:braid_packetdrill>)
set_tests_properties(packetdrill_binary PROPERTIES SKIP_RETURN_CODE 77)
set_tests_properties(packetdrill_table packetdrill_library packetdrill_scripts packetdrill_binary
                     PROPERTIES TIMEOUT 600)
