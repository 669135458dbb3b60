// Reading the corpora and cases that the tokenizer goldens were made from.
// Not here: the comparisons (golden_test.cpp).
#pragma once

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace tenfold::text {

inline std::string slurp(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot open " + path.string());
  return {std::istreambuf_iterator<char>(in), {}};
}

inline std::string gunzipped(const std::string& path) {
  const gzFile file = gzopen(path.c_str(), "rb");
  std::string out, chunk(1 << 20, '\0');
  for (int got; (got = gzread(file, chunk.data(), 1 << 20)) > 0;)
    out.append(chunk, 0, static_cast<size_t>(got));
  gzclose(file);
  return out;
}

/// The file's bytes, unpacked where its name ends in .zst or .gz.
inline std::string unpacked(const std::filesystem::path& path) {
  if (path.extension() == ".gz") return gunzipped(path.string());
  const std::string packed = slurp(path);
  if (path.extension() != ".zst") return packed;
  ZSTD_DStream* stream = ZSTD_createDStream();
  std::string out, chunk(1 << 20, '\0');
  ZSTD_inBuffer in{packed.data(), packed.size(), 0};
  while (in.pos < in.size) {
    ZSTD_outBuffer buffer{chunk.data(), chunk.size(), 0};
    if (ZSTD_isError(ZSTD_decompressStream(stream, &buffer, &in)))
      throw std::runtime_error("bad zstd " + path.string());
    out.append(chunk, 0, buffer.pos);
    while (in.pos == in.size && buffer.pos == buffer.size) {
      buffer.pos = 0;
      ZSTD_decompressStream(stream, &buffer, &in);
      out.append(chunk, 0, buffer.pos);
    }
  }
  ZSTD_freeDStream(stream);
  return out;
}

/// Cut at line feeds; a last line without one counts when it is not empty.
inline std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> out;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    out.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

inline std::vector<nlohmann::json> json_lines(const std::filesystem::path& path) {
  const std::string text = slurp(path);
  std::vector<nlohmann::json> out;
  for (const std::string_view line : lines_of(text)) out.push_back(nlohmann::json::parse(line));
  return out;
}

/// SHA-256 (FIPS 180-4), as lower-case hex.
inline std::string sha256(std::string_view data) {
  const auto roots = [](bool cube) {  // first fractional bits of the roots of the first primes
    std::array<uint32_t, 64> out{};
    uint32_t found = 0;
    for (uint32_t n = 2; found < (cube ? 64u : 8u); ++n) {
      bool prime = true;
      for (uint32_t d = 2; d * d <= n; ++d) prime = prime && n % d != 0;
      if (!prime) continue;
      const long double root = cube ? cbrtl(n) : sqrtl(n);
      out[found++] = static_cast<uint32_t>((root - static_cast<uint32_t>(root)) * 4294967296.0L);
    }
    return out;
  };
  static const std::array<uint32_t, 64> constants = roots(true), start = roots(false);
  std::array<uint32_t, 8> state{};
  std::copy(start.begin(), start.begin() + 8, state.begin());
  std::string tail(data.substr(data.size() / 64 * 64));
  tail += '\x80';
  while (tail.size() % 64 != 56) tail += '\0';
  for (int shift = 56; shift >= 0; shift -= 8)
    tail += static_cast<char>(static_cast<uint64_t>(data.size()) * 8 >> shift);
  const auto block = [&](const char* p) {
    std::array<uint32_t, 64> w{};
    for (size_t i = 0; i < 64; ++i) w[i / 4] = w[i / 4] << 8 | static_cast<uint8_t>(p[i]);
    for (size_t i = 16; i < 64; ++i) {
      const uint32_t a = w[i - 15], b = w[i - 2];
      w[i] = w[i - 16] + w[i - 7] + (std::rotr(a, 7) ^ std::rotr(a, 18) ^ a >> 3) +
             (std::rotr(b, 17) ^ std::rotr(b, 19) ^ b >> 10);
    }
    std::array<uint32_t, 8> s = state;
    for (size_t i = 0; i < 64; ++i) {
      const uint32_t t1 = s[7] + (std::rotr(s[4], 6) ^ std::rotr(s[4], 11) ^ std::rotr(s[4], 25)) +
                          ((s[4] & s[5]) ^ (~s[4] & s[6])) + constants[i] + w[i];
      const uint32_t t2 = (std::rotr(s[0], 2) ^ std::rotr(s[0], 13) ^ std::rotr(s[0], 22)) +
                          ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
      s = {t1 + t2, s[0], s[1], s[2], s[3] + t1, s[4], s[5], s[6]};
    }
    for (size_t i = 0; i < 8; ++i) state[i] += s[i];
  };
  for (size_t i = 0; i + 64 <= data.size(); i += 64) block(data.data() + i);
  for (size_t i = 0; i < tail.size(); i += 64) block(tail.data() + i);
  std::string hex;
  for (const uint32_t word : state) {
    for (int shift = 28; shift >= 0; shift -= 4) hex += "0123456789abcdef"[word >> shift & 15];
  }
  return hex;
}

}  // namespace tenfold::text
