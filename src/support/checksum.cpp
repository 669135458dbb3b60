// XXH3 through libxxhash.
// Not here: choosing what is checked.
#include "support/checksum.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <new>

#include "support/files.h"

namespace tenfold {

uint64_t xxh3_64(std::span<const std::byte> bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}
uint64_t xxh3_64(std::string_view text) { return xxh3_64(as_bytes(text)); }

std::string Digest128::hex() const { return fmt::format("{:016x}{:016x}", high, low); }

Digest128 xxh3_128(std::span<const std::byte> bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.high64, hash.low64};
}
Digest128 xxh3_128(std::string_view text) { return xxh3_128(as_bytes(text)); }

struct Hasher128::State {
  State() : state(XXH3_createState()) {
    if (state == nullptr) throw std::bad_alloc();
    XXH3_128bits_reset(state);
  }
  ~State() { XXH3_freeState(state); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  XXH3_state_t* state;
};

Hasher128::Hasher128() : state_(std::make_unique<State>()) {}
Hasher128::~Hasher128() = default;
Hasher128::Hasher128(Hasher128&&) noexcept = default;
Hasher128& Hasher128::operator=(Hasher128&&) noexcept = default;

void Hasher128::add(std::span<const std::byte> bytes) {
  XXH3_128bits_update(state_->state, bytes.data(), bytes.size());
}
void Hasher128::add(std::string_view text) { add(as_bytes(text)); }

Digest128 Hasher128::digest() const {
  const XXH128_hash_t hash = XXH3_128bits_digest(state_->state);
  return {hash.high64, hash.low64};
}

Digest128 hash_file(const std::filesystem::path& path, ErrorKind kind) {
  return xxh3_128(MappedFile(path, Access::sequential, kind).bytes());
}

}  // namespace tenfold
