# Everything besides libtorch, from Debian's packages (listed once more in ./dev, which installs them).
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(ZLIB REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(utf8proc REQUIRED IMPORTED_TARGET libutf8proc)
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(tomlplusplus REQUIRED IMPORTED_TARGET tomlplusplus)
pkg_check_modules(sentencepiece REQUIRED IMPORTED_TARGET sentencepiece)  # its trainer

add_library(tenfold_dependencies INTERFACE)
target_link_libraries(tenfold_dependencies INTERFACE fmt::fmt nlohmann_json::nlohmann_json ZLIB::ZLIB
  PkgConfig::utf8proc PkgConfig::zstd PkgConfig::xxhash PkgConfig::tomlplusplus
  PkgConfig::sentencepiece)
