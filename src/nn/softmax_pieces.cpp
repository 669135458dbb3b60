// Each piece is some heads of one sequence, and some of its queries where one head alone is too
// large: products through libtorch, rows through the loops of softmax_rows.h.
// Not here: the definition (softmax_reference.cpp).
//
// N queries and M seen keys of a sequence, G heads of a piece.
#include "nn/softmax_pieces.h"

#include <algorithm>

#include "nn/softmax_rows.h"
#include "nn/visible_range.h"
#include "support/rng.h"

namespace tenfold::nn {
namespace {

constexpr int64_t kPieceScores = 1 << 16;  // 256 KiB of fp32: scores and weights fit a second cache
constexpr int64_t kLeastScores = 1 << 12;  // below that the calls cost more than the work
constexpr int64_t kLeastQueries = 128;     // below that products are slow, whatever the cache says
constexpr int64_t kPiecesPerThread = 4;

struct Piece {
  size_t sequence;
  int64_t head, heads, query, queries;
};

/// Heads of `pairs` scores each that are worth a piece together: what the cache holds, but fewer
/// where `sequences` alone do not feed the threads.
int64_t heads_together(int64_t heads, int64_t pairs, int64_t sequences) {
  const auto fitting = [&](int64_t scores) {
    return std::clamp<int64_t>(scores / pairs, 1, heads);
  };
  const int64_t threads = at::get_num_threads();
  if (threads == 1) return fitting(kPieceScores);
  const int64_t groups = std::min(heads, (kPiecesPerThread * threads - 1) / sequences + 1);
  return std::max(std::min((heads - 1) / groups + 1, fitting(kPieceScores)), fitting(kLeastScores));
}

/// Whole heads, or (split) no more queries of a head than the cache holds.
std::vector<Piece> pieces_of(const SoftmaxPlan& plan, int64_t heads, bool split) {
  std::vector<Piece> pieces;
  const int64_t sequences = std::ssize(plan.sequences);
  for (size_t b = 0; b < plan.sequences.size(); ++b) {
    const int64_t n = plan.sequences[b].queries, m = plan.sequences[b].seen_keys();
    if (n * m == 0) continue;
    const int64_t most = split ? std::max(kPieceScores / m, kLeastQueries) : n;
    const int64_t group = n <= most ? heads_together(heads, n * m, sequences) : 1;
    for (int64_t head = 0; head < heads; head += group) {
      for (int64_t query = 0; query < n; query += most)
        pieces.push_back(
            {b, head, std::min(group, heads - head), query, std::min(most, n - query)});
    }
  }
  return pieces;
}

/// Calls work(piece) for all of them on all threads, without autograd.
template <typename Work>
void for_pieces(const std::vector<Piece>& pieces, int64_t grain, Work work) {
  at::parallel_for(0, static_cast<int64_t>(pieces.size()), grain, [&](int64_t begin, int64_t end) {
    const torch::NoGradGuard no_grad;  // threads of the pool do not inherit it
    for (int64_t i = begin; i < end; ++i) work(pieces[static_cast<size_t>(i)]);
  });
}

Tensor kept_keys(const AttentionSequence& s) { return torch::tensor(s.kept, torch::kInt64); }

/// Rows of one sequence with its holes left out, heads in front: [H, M, E].
Tensor seen_heads(const Tensor& x_SHE, const AttentionSequence& s) {
  Tensor rows = x_SHE.narrow(0, s.key_begin, s.keys);
  if (s.has_holes) rows = rows.index_select(0, kept_keys(s));
  return rows.transpose(0, 1);
}

/// A sequence's share of the inputs; keys are transposed: [H, E, M].
struct SequenceInputs {
  Tensor query_HNE, key_HEM, value_HME;
  Tensor context_HNE;         ///< where its results go
  std::vector<Tensor> below;  ///< query and transposed key in turn
  int64_t at_score = 0;       ///< where its scores begin among the flat ones
};

struct Prepared {
  std::vector<SequenceInputs> sequences;
  int64_t scores = 0;
};

Prepared prepared(const SoftmaxInputs& in, const SoftmaxPlan& plan) {
  Prepared out;
  const int64_t heads = in.query_THE.size(1);
  for (const AttentionSequence& s : plan.sequences) {
    SequenceInputs own;
    own.at_score = out.scores;
    if (s.queries * s.seen_keys() > 0) {
      own.query_HNE = query_heads(in.query_THE, s);
      own.key_HEM = seen_heads(in.key_SHE, s).transpose(1, 2);
      own.value_HME = seen_heads(in.value_SHE, s);
      for (size_t i = 0; i < in.below.size(); i += 2) {
        own.below.push_back(query_heads(in.below[i], s));
        own.below.push_back(seen_heads(in.below[i + 1], s).transpose(1, 2));
      }
    }
    out.scores += heads * s.queries * s.seen_keys();
    out.sequences.push_back(std::move(own));
  }
  return out;
}

/// The piece's heads, and `queries` rows of each from `query` on. One call: views cost as much as
/// small products.
Tensor part_of(const Tensor& x_HNE, const Piece& piece, int64_t query, int64_t queries) {
  return x_HNE.as_strided(
      {piece.heads, queries, x_HNE.size(2)}, x_HNE.strides(),
      x_HNE.storage_offset() + piece.head * x_HNE.stride(0) + query * x_HNE.stride(1));
}

Tensor heads_of(const Tensor& x_HNE, const Piece& piece) {
  return part_of(x_HNE, piece, 0, x_HNE.size(1));
}

Tensor queries_of(const Tensor& x_HNE, const Piece& piece) {
  return part_of(x_HNE, piece, piece.query, piece.queries);
}

/// The piece's [G, queries, M] of flat scores.
Tensor scores_of(const Tensor& flat, const Piece& piece, const AttentionSequence& s,
                 int64_t at_score) {
  const int64_t m = s.seen_keys();
  return flat.as_strided(
      {piece.heads, piece.queries, m}, {s.queries * m, m, 1},
      flat.storage_offset() + at_score + (piece.head * s.queries + piece.query) * m);
}

/// Calls work(row, g, i) for every head g and query i of the piece. Rows are contiguous; heads may
/// lie apart.
template <typename scalar_t, typename Work>
void for_rows(const Tensor& x_GNM, const Piece& piece, Work work) {
  auto* data = static_cast<scalar_t*>(x_GNM.mutable_data_ptr());
  for (int64_t g = 0; g < piece.heads; ++g) {
    for (int64_t i = 0; i < piece.queries; ++i)
      work(data + g * x_GNM.stride(0) + i * x_GNM.stride(1), g, i);
  }
}

template <typename scalar_t>
const scalar_t* row_of(const Tensor& x_GNM, int64_t g, int64_t i) {
  return x_GNM.const_data_ptr<scalar_t>() + g * x_GNM.stride(0) + i * x_GNM.stride(1);
}

template <typename scalar_t>
void softmax_rows(const Tensor& score_GNM, const Tensor& weight_GNM, const AttentionSequence& s,
                  const Piece& piece, double factor) {
  const int64_t m = s.seen_keys();
  for_rows<scalar_t>(weight_GNM, piece, [&](scalar_t* row, int64_t g, int64_t i) {
    const VisibleRange range = visible_range(s, piece.query + i);
    softmax_row(row_of<scalar_t>(score_GNM, g, i), row, m, range.lo, range.hi, range.skip,
                static_cast<scalar_t>(factor));
  });
}

template <typename scalar_t>
void drop_rows(const Tensor& from_GNM, const Tensor& to_GNM, const AttentionSequence& s,
               const SoftmaxPlan& plan, const Piece& piece) {
  const int64_t m = s.seen_keys();
  const auto* keys = plan.row_keys_T.const_data_ptr<int64_t>() + s.query_begin + piece.query;
  for_rows<scalar_t>(to_GNM, piece, [&](scalar_t* row, int64_t g, int64_t i) {
    const uint64_t key =
        combine_keys(static_cast<uint64_t>(keys[i]), static_cast<uint64_t>(piece.head + g));
    drop_weight_row(row_of<scalar_t>(from_GNM, g, i), row, m, s.has_holes ? s.kept.data() : nullptr,
                    HashKey::of(key, plan.site), drop_threshold(plan.dropout),
                    static_cast<scalar_t>(1.0 / (1.0 - plan.dropout)));
  });
}

template <typename scalar_t>
void softmax_rows_backward(const Tensor& weight_GNM, const Tensor& gradient_GNM,
                           const Tensor& above_GNM, const Piece& piece, double factor) {
  for_rows<scalar_t>(gradient_GNM, piece, [&](scalar_t* row, int64_t g, int64_t i) {
    softmax_row_backward(row_of<scalar_t>(weight_GNM, g, i), row, gradient_GNM.size(2),
                         static_cast<scalar_t>(factor),
                         above_GNM.defined() ? row_of<scalar_t>(above_GNM, g, i) : nullptr);
  });
}

/// Calls a kernel with the scalar type of t (float or double).
template <typename Kernel>
void with_scalar(const Tensor& t, Kernel kernel) {
  if (t.scalar_type() == at::kFloat) {
    kernel(float{});
  } else {
    kernel(double{});
  }
}

/// x after dropout of the piece's rows; x itself where nothing drops.
Tensor dropped(const Tensor& x_GNM, const AttentionSequence& s, const SoftmaxPlan& plan,
               const Piece& piece) {
  if (plan.dropout == 0.0) return x_GNM;
  const Tensor to_GNM = torch::empty(x_GNM.sizes(), x_GNM.options());
  with_scalar(x_GNM, [&](auto zero) { drop_rows<decltype(zero)>(x_GNM, to_GNM, s, plan, piece); });
  return to_GNM;
}

/// Offsets of the seen keys from the piece's queries, as columns of the bias table: [queries, M].
Tensor bias_columns(const AttentionSequence& s, const Piece& piece, int64_t reach) {
  const Tensor place_M = s.has_holes ? kept_keys(s) : torch::arange(s.keys, torch::kInt64);
  const int64_t first = s.past + piece.query;
  return (place_M.unsqueeze(0) -
          torch::arange(first, first + piece.queries, torch::kInt64).unsqueeze(1))
      .clamp(-reach, reach)
      .add_(reach);
}

Tensor bias_of(const Tensor& bias_HR, const AttentionSequence& s, const Piece& piece,
               int64_t reach) {
  return bias_HR.narrow(0, piece.head, piece.heads)
      .index_select(1, bias_columns(s, piece, reach).flatten())
      .view({piece.heads, piece.queries, s.seen_keys()});
}

/// Writes gradients of keys or values of the piece's heads: left^T right * alpha.
void put(const Tensor& to_SHE, const AttentionSequence& s, const Piece& piece,
         const Tensor& left_GNM, const Tensor& right_GNE, double alpha) {
  const Tensor rows_SGE = to_SHE.narrow(0, s.key_begin, s.keys).narrow(1, piece.head, piece.heads);
  const Tensor left_GMN = left_GNM.transpose(1, 2);
  if (s.has_holes) {
    rows_SGE.index_copy_(0, kept_keys(s), at::bmm(left_GMN, right_GNE).mul_(alpha).transpose(0, 1));
  } else {
    rows_SGE.transpose(0, 1).baddbmm_(left_GMN, right_GNE, 0, alpha);
  }
}

}  // namespace

SoftmaxPieces softmax_forward(const SoftmaxInputs& in, const SoftmaxPlan& plan, bool keep_weights) {
  const torch::NoGradGuard no_grad;
  const Tensor& query = in.query_THE;
  const int64_t heads = query.size(1);
  Prepared all = prepared(in, plan);
  SoftmaxPieces out{torch::zeros({query.size(0), heads, in.value_SHE.size(2)}, query.options()),
                    torch::empty({plan.hand_on_scores ? all.scores : 0}, query.options()),
                    torch::empty({keep_weights ? all.scores : 0}, query.options())};
  for (size_t b = 0; b < plan.sequences.size(); ++b)
    all.sequences[b].context_HNE = query_heads(out.context_THE, plan.sequences[b]);
  for_pieces(pieces_of(plan, heads, /*split=*/true), 1, [&](const Piece& piece) {
    const AttentionSequence& s = plan.sequences[piece.sequence];
    const SequenceInputs& own = all.sequences[piece.sequence];
    const Tensor weight_GNM =
        keep_weights ? scores_of(out.flat_weights, piece, s, own.at_score)
                     : torch::empty({piece.heads, piece.queries, s.seen_keys()}, query.options());
    Tensor score_GNM =
        plan.hand_on_scores ? scores_of(out.flat_scores, piece, s, own.at_score) : weight_GNM;
    if (in.carry.defined()) score_GNM.copy_(scores_of(in.carry, piece, s, own.at_score));
    score_GNM.baddbmm_(queries_of(own.query_HNE, piece), heads_of(own.key_HEM, piece),
                       in.carry.defined() ? 1 : 0, plan.scale);
    for (size_t i = 0; i < own.below.size(); i += 2) {
      score_GNM.baddbmm_(queries_of(own.below[i], piece), heads_of(own.below[i + 1], piece), 1,
                         plan.scale);
    }
    if (in.bias_HR.defined()) {
      weight_GNM.copy_(score_GNM);
      if (plan.factor != 1.0) weight_GNM.mul_(plan.factor);
      score_GNM = weight_GNM.add_(bias_of(in.bias_HR, s, piece, plan.bias->reach));
    }
    const double factor = in.bias_HR.defined() ? 1.0 : plan.factor;
    with_scalar(query, [&](auto zero) {
      softmax_rows<decltype(zero)>(score_GNM, weight_GNM, s, piece, factor);
    });
    queries_of(own.context_HNE, piece)
        .baddbmm_(dropped(weight_GNM, s, plan, piece), heads_of(own.value_HME, piece), 0);
  });
  return out;
}

SoftmaxGradients softmax_backward(const SoftmaxInputs& in, const SoftmaxPlan& plan,
                                  const Tensor& flat_weights, const Tensor& context_gradient_THE,
                                  const Tensor& score_gradient) {
  const torch::NoGradGuard no_grad;
  const Prepared all = prepared(in, plan);
  const auto zeros = [](const Tensor& x) { return torch::zeros(x.sizes(), x.options()); };
  SoftmaxGradients out{zeros(in.query_THE), zeros(in.key_SHE), zeros(in.value_SHE), {}, {}};
  if (in.carry.defined()) out.carry = torch::empty_like(flat_weights);
  if (in.bias_HR.defined()) out.bias_HR = torch::zeros_like(in.bias_HR);
  const std::vector<Piece> pieces = pieces_of(plan, in.query_THE.size(1), /*split=*/false);
  // Sequences share the table of the bias: one thread then.
  const auto grain = in.bias_HR.defined() ? std::max<int64_t>(1, std::ssize(pieces)) : 1;
  for_pieces(pieces, grain, [&](const Piece& piece) {
    const AttentionSequence& s = plan.sequences[piece.sequence];
    const SequenceInputs& own = all.sequences[piece.sequence];
    const Tensor weight_GNM = scores_of(flat_weights, piece, s, own.at_score);
    const Tensor dout_GNE = heads_of(query_heads(context_gradient_THE, s), piece);
    put(out.value_SHE, s, piece, dropped(weight_GNM, s, plan, piece), dout_GNE, 1.0);
    const Tensor dscore_GNM = out.carry.defined()
                                  ? scores_of(out.carry, piece, s, own.at_score)
                                  : torch::empty(weight_GNM.sizes(), weight_GNM.options());
    dscore_GNM.baddbmm_(dout_GNE, heads_of(own.value_HME, piece).transpose(1, 2), 0);
    const Tensor above_GNM =
        score_gradient.defined() ? scores_of(score_gradient, piece, s, own.at_score) : Tensor();
    with_scalar(weight_GNM, [&](auto zero) {
      using scalar_t = decltype(zero);
      if (plan.dropout > 0) drop_rows<scalar_t>(dscore_GNM, dscore_GNM, s, plan, piece);
      if (!in.bias_HR.defined()) {
        softmax_rows_backward<scalar_t>(weight_GNM, dscore_GNM, above_GNM, piece, plan.factor);
        return;
      }
      softmax_rows_backward<scalar_t>(weight_GNM, dscore_GNM, {}, piece, 1.0);
      out.bias_HR.narrow(0, piece.head, piece.heads)
          .index_add_(1, bias_columns(s, piece, plan.bias->reach).flatten(), dscore_GNM.flatten(1));
      dscore_GNM.mul_(plan.factor);
      if (above_GNM.defined()) dscore_GNM.add_(above_GNM);
    });
    heads_of(query_heads(out.query_THE, s), piece)
        .baddbmm_(dscore_GNM, heads_of(own.key_HEM, piece).transpose(1, 2), 0, plan.scale);
    put(out.key_SHE, s, piece, dscore_GNM, heads_of(own.query_HNE, piece), plan.scale);
  });
  return out;
}

}  // namespace tenfold::nn
