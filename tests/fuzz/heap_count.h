// Bytes that a program holds by operator new, which all readers use: for tests of memory limits.
// Include in one source only: it replaces operator new and delete.
#pragma once

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace tenfold::heap {

inline std::atomic<size_t> live_bytes{0}, most_bytes{0};

inline void* count(void* address) {
  if (address == nullptr) throw std::bad_alloc();
  const size_t now = live_bytes += malloc_usable_size(address);
  if (now > most_bytes) most_bytes = now;
  return address;
}

inline void release(void* address) noexcept {
  if (address != nullptr) live_bytes -= malloc_usable_size(address);
  std::free(address);
}

/// Bytes held at most since this was made, beyond those held then.
class Peak {
 public:
  Peak() : before_(live_bytes) { most_bytes = before_; }
  size_t bytes() const { return most_bytes - before_; }

 private:
  size_t before_;
};

}  // namespace tenfold::heap

void* operator new(size_t size) { return tenfold::heap::count(std::malloc(size)); }
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  void* address = std::malloc(size);
  return address == nullptr ? nullptr : tenfold::heap::count(address);
}
void operator delete(void* address) noexcept { tenfold::heap::release(address); }
void operator delete(void* address, size_t) noexcept { tenfold::heap::release(address); }
void operator delete(void* address, const std::nothrow_t&) noexcept {
  tenfold::heap::release(address);
}
