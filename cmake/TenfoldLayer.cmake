# tenfold_layer(NAME [TORCH] [DEPENDS layer...]): one OBJECT library of src/NAME, which may include only from
# the layers it depends on. Layers with TORCH share one precompiled header (src/tensor/torch.h).
# tenfold_library(): all objects as the one installed library tenfold::tenfold.
# tenfold_install(): rules for the library, the public headers and the package that find_package(tenfold) reads.
# tenfold_test(LAYER): one test binary of tests/LAYER, linked with that layer and everything below it.

set(TENFOLD_WARNINGS -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion)

add_library(tenfold_common INTERFACE)
target_include_directories(tenfold_common INTERFACE
  $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include> $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/src>)
# Nobody asks for floating-point traps or errno: with either, loops with a comparison in them stay scalar (the
# exponential of a softmax is eight times slower).
target_compile_options(tenfold_common INTERFACE ${TENFOLD_WARNINGS} -fopenmp -fno-math-errno -fno-trapping-math)
target_compile_definitions(tenfold_common INTERFACE TENFOLD_VERSION="${PROJECT_VERSION}")
target_link_libraries(tenfold_common INTERFACE tenfold_dependencies)
if(TENFOLD_SANITIZE)
  target_compile_options(tenfold_common INTERFACE -fsanitize=${TENFOLD_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(tenfold_common INTERFACE -fsanitize=${TENFOLD_SANITIZE})
endif()

# One precompiled torch header, made with the very flags of the layers that use it.
file(WRITE ${CMAKE_BINARY_DIR}/torch_pch.cpp "// Carrier of the precompiled torch header.\n")
add_library(tenfold_torch_pch OBJECT ${CMAKE_BINARY_DIR}/torch_pch.cpp)
target_link_libraries(tenfold_torch_pch PRIVATE tenfold_common Libtorch::cpu)
target_precompile_headers(tenfold_torch_pch PRIVATE ${CMAKE_SOURCE_DIR}/src/tensor/torch.h)

function(tenfold_use_torch target)
  target_link_libraries(${target} PRIVATE Libtorch::cpu)
  target_precompile_headers(${target} REUSE_FROM tenfold_torch_pch)
  add_dependencies(${target} tenfold_torch_pch)
endfunction()

function(tenfold_layer name)
  cmake_parse_arguments(ARG "TORCH" "" "DEPENDS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
  set(target tenfold_${name})
  if(sources)
    add_library(${target} OBJECT ${sources})
    target_link_libraries(${target} PRIVATE tenfold_common)
    if(TENFOLD_UNITY)
      set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 12)
    endif()
    if(ARG_TORCH)
      tenfold_use_torch(${target})
    endif()
  endif()
  set(closure ${name})
  foreach(layer IN LISTS ARG_DEPENDS)
    get_property(below GLOBAL PROPERTY TENFOLD_CLOSURE_${layer})
    list(APPEND closure ${below})
  endforeach()
  list(REMOVE_DUPLICATES closure)
  set_property(GLOBAL PROPERTY TENFOLD_CLOSURE_${name} ${closure})
  set_property(GLOBAL PROPERTY TENFOLD_TORCH_${name} ${ARG_TORCH})
  set_property(GLOBAL APPEND PROPERTY TENFOLD_LAYERS ${name})
endfunction()

# Objects of the given layers that exist, as generator expressions.
function(tenfold_objects out)
  set(objects "")
  foreach(layer IN LISTS ARGN)
    if(TARGET tenfold_${layer})
      list(APPEND objects $<TARGET_OBJECTS:tenfold_${layer}>)
    endif()
  endforeach()
  set(${out} ${objects} PARENT_SCOPE)
endfunction()

function(tenfold_link_libtorch target)
  target_link_libraries(${target} PRIVATE Libtorch::cpu ${LIBTORCH_OPENMP})
  set_target_properties(${target} PROPERTIES BUILD_RPATH "${LIBTORCH_RPATH}" INSTALL_RPATH "${LIBTORCH_RPATH};$ORIGIN;$ORIGIN/../lib")
  target_link_options(${target} PRIVATE "LINKER:-rpath-link,$<JOIN:${LIBTORCH_RPATH},:>" LINKER:--disable-new-dtags)
endfunction()

function(tenfold_library)
  get_property(layers GLOBAL PROPERTY TENFOLD_LAYERS)
  tenfold_objects(objects ${layers})
  add_library(tenfold SHARED ${objects})
  add_library(tenfold::tenfold ALIAS tenfold)
  target_include_directories(tenfold PUBLIC $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>)
  target_compile_features(tenfold PUBLIC cxx_std_20)
  target_link_libraries(tenfold PRIVATE $<BUILD_INTERFACE:tenfold_common>)
  tenfold_link_libtorch(tenfold)
  set_target_properties(tenfold PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
  tenfold_install()
endfunction()

# The installed library finds libtorch where it was at build time. The package file is our own and not an exported
# target list, because that would name targets of libraries that users of the public headers never see.
function(tenfold_install)
  include(GNUInstallDirs)
  include(CMakePackageConfigHelpers)
  set(package ${CMAKE_INSTALL_LIBDIR}/cmake/tenfold)
  install(TARGETS tenfold LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/tenfold DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
  configure_package_config_file(${CMAKE_SOURCE_DIR}/cmake/tenfoldConfig.cmake.in ${CMAKE_BINARY_DIR}/tenfoldConfig.cmake
    INSTALL_DESTINATION ${package} PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR)
  write_basic_package_version_file(${CMAKE_BINARY_DIR}/tenfoldConfigVersion.cmake COMPATIBILITY SameMinorVersion)
  install(FILES ${CMAKE_BINARY_DIR}/tenfoldConfig.cmake ${CMAKE_BINARY_DIR}/tenfoldConfigVersion.cmake
    DESTINATION ${package})
endfunction()
