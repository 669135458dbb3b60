// Decompression and line cutting.
// Not here: decoding of characters (the tokenizer's).
#include "data/text_lines.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "support/checksum.h"
#include "support/fail.h"

namespace tenfold::data {
namespace decoding {

constexpr size_t kChunk = 1 << 16;

/// Raw bytes of a descriptor, in chunks; closes it.
class RawBytes {
 public:
  explicit RawBytes(const std::string& path) : path_(path), buffer_(kChunk) {
    if (path == "-") return;
    fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    require(fd_ >= 0, ErrorKind::data, "read", "cannot open {}: {}", path, std::strerror(errno));
  }
  ~RawBytes() {
    if (fd_ > 0) ::close(fd_);
  }
  RawBytes(const RawBytes&) = delete;
  RawBytes& operator=(const RawBytes&) = delete;

  /// The next bytes; empty at the end. Bytes looked at by first() come again.
  std::string_view next() {
    if (held_) {
      held_ = false;
      return {buffer_.data(), size_};
    }
    for (;;) {
      const ssize_t got = ::read(fd_, buffer_.data(), buffer_.size());
      if (got >= 0) {
        size_ = static_cast<size_t>(got);
        return {buffer_.data(), size_};
      }
      require(errno == EINTR, ErrorKind::data, "read", "cannot read {}: {}", path_,
              std::strerror(errno));
    }
  }

  std::string_view first() {
    const std::string_view bytes = next();
    held_ = true;
    return bytes;
  }

  bool is_regular() const {
    struct stat status {};
    return path_ != "-" && ::fstat(fd_, &status) == 0 && S_ISREG(status.st_mode);
  }

  void seek(uint64_t offset) {
    held_ = false;
    require(::lseek(fd_, static_cast<off_t>(offset), SEEK_SET) >= 0, ErrorKind::data, "read",
            "cannot move to byte {} of {}: {}", offset, path_, std::strerror(errno));
  }

 private:
  std::string path_;
  std::vector<char> buffer_;
  size_t size_ = 0;
  bool held_ = false;
  int fd_ = 0;
};

/// Plain bytes behind raw ones.
class Decoder {
 public:
  virtual ~Decoder() = default;
  virtual bool read(std::string& out) = 0;  ///< appends some bytes; false at the end
};

class PlainDecoder final : public Decoder {
 public:
  explicit PlainDecoder(RawBytes& raw) : raw_(raw) {}
  bool read(std::string& out) override {
    const std::string_view bytes = raw_.next();
    out.append(bytes);
    return !bytes.empty();
  }

 private:
  RawBytes& raw_;
};

class GzipDecoder final : public Decoder {
 public:
  GzipDecoder(RawBytes& raw, const std::string& name)
      : raw_(raw), name_(name), buffer_(4 * kChunk) {
    require(inflateInit2(&stream_, 15 + 16) == Z_OK, ErrorKind::internal, "read",
            "zlib cannot start");
  }
  ~GzipDecoder() override { inflateEnd(&stream_); }

  bool read(std::string& out) override {
    if (stream_.avail_in == 0) {
      const std::string_view bytes = raw_.next();
      if (bytes.empty()) {
        require(between_members_, ErrorKind::data, "read", "{}: the gzip data are cut off", name_);
        return false;
      }
      stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
      stream_.avail_in = static_cast<uInt>(bytes.size());
    }
    if (between_members_) inflateReset(&stream_);
    between_members_ = false;
    stream_.next_out = reinterpret_cast<Bytef*>(buffer_.data());
    stream_.avail_out = static_cast<uInt>(buffer_.size());
    const int state = inflate(&stream_, Z_NO_FLUSH);
    require(state == Z_OK || state == Z_STREAM_END || state == Z_BUF_ERROR, ErrorKind::data, "read",
            "{}: damaged gzip data", name_);
    between_members_ = state == Z_STREAM_END;
    out.append(buffer_.data(), buffer_.size() - stream_.avail_out);
    return true;
  }

 private:
  RawBytes& raw_;
  std::string name_;
  std::vector<char> buffer_;
  z_stream stream_{};
  bool between_members_ = false;
};

class ZstdDecoder final : public Decoder {
 public:
  ZstdDecoder(RawBytes& raw, const std::string& name)
      : raw_(raw), name_(name), buffer_(ZSTD_DStreamOutSize()), stream_(ZSTD_createDStream()) {}
  ~ZstdDecoder() override { ZSTD_freeDStream(stream_); }

  bool read(std::string& out) override {
    if (in_.pos == in_.size) {  // zstd keeps a byte of the input back while it has more to give
      const std::string_view bytes = raw_.next();
      if (bytes.empty()) {
        require(at_frame_end_, ErrorKind::data, "read", "{}: the zstd data are cut off", name_);
        return false;
      }
      in_ = {bytes.data(), bytes.size(), 0};
    }
    ZSTD_outBuffer chunk{buffer_.data(), buffer_.size(), 0};
    const size_t left = ZSTD_decompressStream(stream_, &chunk, &in_);
    require(ZSTD_isError(left) == 0, ErrorKind::data, "read", "{}: damaged zstd data", name_);
    at_frame_end_ = left == 0;
    out.append(buffer_.data(), chunk.pos);
    return true;
  }

 private:
  RawBytes& raw_;
  std::string name_;
  std::vector<char> buffer_;
  ZSTD_DStream* stream_;
  ZSTD_inBuffer in_{nullptr, 0, 0};
  bool at_frame_end_ = false;
};

std::unique_ptr<Decoder> make_decoder(RawBytes& raw, const std::string& name) {
  const std::string_view first = raw.first();
  if (first.starts_with("\x1f\x8b")) return std::make_unique<GzipDecoder>(raw, name);
  if (first.starts_with("\x28\xb5\x2f\xfd")) return std::make_unique<ZstdDecoder>(raw, name);
  return std::make_unique<PlainDecoder>(raw);
}

}  // namespace decoding

struct TextLines::State {
  explicit State(const std::string& path)
      : name(path), raw(path), decoder(decoding::make_decoder(raw, name)) {
    plain = raw.is_regular() && dynamic_cast<decoding::PlainDecoder*>(decoder.get()) != nullptr;
  }
  std::string name;
  decoding::RawBytes raw;
  std::unique_ptr<decoding::Decoder> decoder;
  std::string pending;  // decoded, not yet given
  size_t begin = 0;     // of the next line in `pending`
  size_t searched = 0;  // no LF before this place
  int64_t number = 0;
  bool ended = false;
  bool plain = false;  // a file of which any part can be read at once
  uint64_t base = 0;   // place of pending[0] in the decoded text
  Hasher128 given;     // of the text given so far, where it is not plain

  /// Decodes more behind what is pending; forgets what was given.
  void decode() {
    pending.erase(0, begin);
    base += begin;
    searched -= begin;
    begin = 0;
    ended = !decoder->read(pending);
  }
};

TextLines::TextLines(const std::filesystem::path& path) {
  require(path == "-" || !std::filesystem::is_directory(path), ErrorKind::data, "read",
          "{} is a folder", path.string());
  state_ = std::make_unique<State>(path.string());
}
TextLines::~TextLines() = default;
TextLines::TextLines(TextLines&&) noexcept = default;
TextLines& TextLines::operator=(TextLines&&) noexcept = default;

std::optional<std::string> TextLines::next() {
  State& s = *state_;
  size_t end = s.pending.find('\n', s.searched);
  while (end == std::string::npos && !s.ended) {
    s.searched = s.pending.size();
    require(s.pending.size() - s.begin <= kLongestLine, ErrorKind::data, "read",
            "{}:{}: the line has more than {} bytes", s.name, s.number + 1, kLongestLine);
    s.decode();
    end = s.pending.find('\n', s.searched);
  }
  if (end == std::string::npos) {
    if (s.begin == s.pending.size()) return std::nullopt;
    end = s.pending.size();
  }
  std::string line = s.pending.substr(s.begin, end - s.begin);
  const size_t after = std::min(end + 1, s.pending.size());
  if (!s.plain) s.given.add(std::string_view(s.pending).substr(s.begin, after - s.begin));
  s.begin = s.searched = after;
  if (s.number++ == 0 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

std::string_view TextLines::next_piece() {
  State& s = *state_;
  while (s.begin == s.pending.size() && !s.ended) s.decode();
  const std::string_view piece = std::string_view(s.pending).substr(s.begin);
  if (!s.plain) s.given.add(piece);
  s.begin = s.searched = s.pending.size();
  return piece;
}

std::string_view TextLines::peek(size_t bytes) {
  State& s = *state_;
  while (s.pending.size() - s.begin < bytes && !s.ended) s.decode();
  return std::string_view(s.pending).substr(s.begin, bytes);
}

TextPlace TextLines::place() const {
  const State& s = *state_;
  return {s.base + s.begin, s.number, s.plain ? "" : s.given.digest().hex()};
}

void TextLines::seek(const TextPlace& place) {
  State& s = *state_;
  if (s.plain) {
    s.raw.seek(place.offset);
    s.pending.clear();
    s.begin = s.searched = 0;
    s.base = place.offset;
    s.number = place.number;
    s.ended = false;
    return;
  }
  while (s.base + s.begin < place.offset && next()) {
  }
  require(this->place() == place, ErrorKind::data, "read",
          "{}: the first {} bytes of text are not those read before", s.name, place.offset);
}

int64_t TextLines::number() const { return state_->number; }
const std::string& TextLines::name() const { return state_->name; }

std::filesystem::path plain_name(const std::filesystem::path& path) {
  return path.extension() == ".gz" || path.extension() == ".zst"
             ? std::filesystem::path(path).replace_extension()
             : path;
}

std::filesystem::path existing_file(const std::filesystem::path& plain) {
  for (const char* suffix : {"", ".zst", ".gz"}) {
    std::filesystem::path file = plain.string() + suffix;
    if (std::filesystem::exists(file)) return file;
  }
  return {};
}

}  // namespace tenfold::data
