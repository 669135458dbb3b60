// CRC-32C (Castagnoli) as TensorBoard's record files use it.
// Not here: the record format itself.
#pragma once

#include <cstdint>
#include <string_view>

namespace tenfold {

/// CRC-32C of the text; `crc` continues an earlier call: crc32c(b, crc32c(a)) == crc32c(ab).
uint32_t crc32c(std::string_view text, uint32_t crc = 0);

/// The rotated and shifted form stored in TFRecord frames.
uint32_t masked_crc32c(std::string_view text);

}  // namespace tenfold
