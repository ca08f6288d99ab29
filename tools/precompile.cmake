# Headers of the libraries, parsed once for each set of compiler flags instead of once for each source.
# Our own headers stay out. A source that forgets to include one of these is found by a build without this file only.
# GCC takes what it inlines from a precompiled std::string for our code and warns of it (12, at -O2): such
# warnings are errors in builds without this file only. So is that the headers are of other flags (below).
foreach(warning array-bounds restrict stringop-overflow stringop-overread invalid-pch)
  target_compile_options(braid_flags INTERFACE -Wno-error=${warning})
endforeach()
set(precompiled_headers
  <algorithm> <array> <chrono> <cstdint> <cstring> <deque> <functional> <limits> <map> <memory> <optional>
  <set> <span> <string> <string_view> <tuple> <unordered_map> <utility> <variant> <vector> <fmt/format.h>)

# precompiled(NAME headers...): a target that exists for its precompiled headers, which others reuse.
function(precompiled name)
  file(WRITE ${CMAKE_BINARY_DIR}/${name}.cpp "")
  add_library(${name} OBJECT ${CMAKE_BINARY_DIR}/${name}.cpp)
  target_link_libraries(${name} PRIVATE braid_flags fmt::fmt)
  target_precompile_headers(${name} PRIVATE ${ARGN})
endfunction()
precompiled(braid_precompiled ${precompiled_headers})
precompiled(braid_precompiled_tests ${precompiled_headers} <doctest/doctest.h>)

# The flags of a target decide whose headers it can take: those of other flags, and C, do without.
get_property(targets DIRECTORY PROPERTY BUILDSYSTEM_TARGETS)
foreach(target IN LISTS targets)
  get_target_property(kind ${target} TYPE)
  if(NOT kind MATCHES "^(STATIC_LIBRARY|EXECUTABLE)$" OR target MATCHES "^braid_(lwip|doctest_main)$")
    continue()
  endif()
  if(target MATCHES "^test_")
    target_precompile_headers(${target} REUSE_FROM braid_precompiled_tests)
  else()
    target_precompile_headers(${target} REUSE_FROM braid_precompiled)
  endif()
endforeach()
if(TARGET braid_packetdrill)
  target_precompile_headers(braid_packetdrill PRIVATE ${precompiled_headers})
endif()
