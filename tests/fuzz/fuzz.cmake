# Fuzz targets: every *_fuzz.cpp defines LLVMFuzzerTestOneInput. <room>_fuzz.cpp links that room;
# any other names its libraries in a line of its own:
#   // fuzz-libraries: braid_wire ...
# With BRAID_FUZZ (clang) each becomes a libFuzzer program:
#   cmake -G Ninja -B build-fuzz -DCMAKE_CXX_COMPILER=clang++ -DBRAID_FUZZ=ON -DBRAID_SANITIZE=ON
#   build-fuzz/convert_fuzz -max_total_time=600 NEW_DIR tests/fuzz/corpus/convert_fuzz
# Otherwise each is built with a main that replays tests/fuzz/corpus/<target>/, as a ctest that fails
# when that folder is empty.
set(fuzz_dir ${CMAKE_CURRENT_LIST_DIR})
file(GLOB fuzz_sources CONFIGURE_DEPENDS ${fuzz_dir}/*_fuzz.cpp)
if(NOT BRAID_FUZZ)
  add_library(braid_fuzz_replay STATIC ${fuzz_dir}/replay_main.cpp)
  target_link_libraries(braid_fuzz_replay PUBLIC braid_flags)
endif()
foreach(source IN LISTS fuzz_sources)
  get_filename_component(target ${source} NAME_WE)
  file(STRINGS ${source} declaration REGEX "^// fuzz-libraries: " LIMIT_COUNT 1)
  string(REGEX REPLACE "_fuzz$" "" room ${target})
  if(declaration)
    string(REGEX REPLACE "^// fuzz-libraries: +" "" libraries "${declaration}")
    separate_arguments(libraries)
  elseif(TARGET braid_${room})
    set(libraries braid_${room})
  else()
    message(FATAL_ERROR "${source} lacks its line '// fuzz-libraries: ...'")
  endif()
  add_executable(${target} ${source})
  target_link_libraries(${target} PRIVATE ${libraries})
  set(corpus ${fuzz_dir}/corpus/${target})
  if(BRAID_FUZZ)
    target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    add_test(NAME ${target} COMMAND ${target} -runs=0 ${corpus})
  else()
    target_link_libraries(${target} PRIVATE braid_fuzz_replay)
    add_test(NAME ${target} COMMAND ${target} ${corpus})
  endif()
endforeach()
