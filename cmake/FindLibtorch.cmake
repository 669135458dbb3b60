# Finds libtorch without its own package file (which stops where no CUDA toolkit is installed).
# TENFOLD_LIBTORCH: a libtorch folder (with include/ and lib/), or the folder a torch wheel was unpacked to.
# Gives the imported target Libtorch::cpu and the variable LIBTORCH_RPATH.

set(TENFOLD_LIBTORCH "${CMAKE_SOURCE_DIR}/.deps/libtorch" CACHE PATH "libtorch, or an unpacked torch wheel")

if(EXISTS "${TENFOLD_LIBTORCH}/torch/lib/libtorch_cpu.so")
  set(_torch "${TENFOLD_LIBTORCH}/torch")
elseif(EXISTS "${TENFOLD_LIBTORCH}/lib/libtorch_cpu.so")
  set(_torch "${TENFOLD_LIBTORCH}")
else()
  message(FATAL_ERROR "no libtorch in ${TENFOLD_LIBTORCH}: run './dev setup', or set TENFOLD_LIBTORCH to a libtorch 2.9 or newer")
endif()

set(_lines "")
foreach(_header torch/headeronly/version.h torch/csrc/api/include/torch/version.h)
  if(NOT _lines AND EXISTS "${_torch}/include/${_header}")
    file(STRINGS "${_torch}/include/${_header}" _lines REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) [0-9]+$")
  endif()
endforeach()
set(_version "")
foreach(_line IN LISTS _lines)
  string(REGEX REPLACE ".* ([0-9]+)$" "\\1" _part "${_line}")
  list(APPEND _version ${_part})
endforeach()
list(JOIN _version "." Libtorch_VERSION)
if(Libtorch_VERSION VERSION_LESS 2.9)
  message(FATAL_ERROR "libtorch ${Libtorch_VERSION} in ${_torch}: 2.9 or newer is needed")
endif()

add_library(Libtorch::c10 SHARED IMPORTED)
set_target_properties(Libtorch::c10 PROPERTIES IMPORTED_LOCATION "${_torch}/lib/libc10.so")
add_library(Libtorch::cpu SHARED IMPORTED)
# libtorch ships headers of another fmt without its library: the system's must be found before them.
find_path(TENFOLD_FMT_INCLUDE fmt/format.h PATHS /usr/include /usr/local/include NO_DEFAULT_PATH)
find_path(TENFOLD_FMT_INCLUDE fmt/format.h REQUIRED)
set(_fmt_first "${CMAKE_BINARY_DIR}/fmt_first")
file(MAKE_DIRECTORY "${_fmt_first}")
file(CREATE_LINK "${TENFOLD_FMT_INCLUDE}/fmt" "${_fmt_first}/fmt" SYMBOLIC)

set_target_properties(Libtorch::cpu PROPERTIES
  IMPORTED_LOCATION "${_torch}/lib/libtorch_cpu.so"
  INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${_fmt_first};${_torch}/include;${_torch}/include/torch/csrc/api/include"
  INTERFACE_INCLUDE_DIRECTORIES "${_fmt_first};${_torch}/include;${_torch}/include/torch/csrc/api/include"
  INTERFACE_LINK_LIBRARIES Libtorch::c10)

# One OpenMP runtime in the process: the one libtorch brings, where it brings one.
file(GLOB _gomp "${_torch}/lib/libgomp*.so*" "${TENFOLD_LIBTORCH}/torch.libs/libgomp*.so*")
if(_gomp)
  list(GET _gomp 0 _gomp)
  set(LIBTORCH_OPENMP "${_gomp}")
else()
  set(LIBTORCH_OPENMP gomp)
endif()
set(LIBTORCH_RPATH "${_torch}/lib")
if(IS_DIRECTORY "${TENFOLD_LIBTORCH}/nvidia/cu13/lib")
  list(APPEND LIBTORCH_RPATH "${TENFOLD_LIBTORCH}/nvidia/cu13/lib")
endif()
message(STATUS "libtorch ${Libtorch_VERSION} in ${_torch}")
