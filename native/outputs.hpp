// The output layer of one panel: activation and cost of every head, and δ[L]. Examples are lanes,
// so sums over outputs are plain vector sums.
#pragma once

#include "costs.hpp"

namespace chainrule::CHAINRULE_ISA {

template <typename T, int BYTES> struct Outputs {
    using S = Simd<T, BYTES>;
    using Act = Activations<T, BYTES>;
    using Cost = Costs<T, BYTES>;
    using V = typename S::V;
    using Delta = typename Cost::Delta;

    // A holds Z[L], and is overwritten by A[L]. delta, unless nullptr, receives δ[L] · `scale` (the
    // weight of each example in the mean; 0 in padding lanes), and costs receives C per example.
    static void run(const Network &net, T *A, const T *Y, T *delta, const T *scale, T *costs,
                    long ld, long vectors) {
        if (net.heads == 1 && net.head->weight == 1)
            return run_head<false>(*net.head, net.fused, A, Y, delta, scale, costs, ld, vectors);
        for (long v = 0; v < vectors; ++v)
            S::store(costs + v * S::lanes, V{});
        for (int h = 0; h < net.heads; ++h) { // HD1 to HD3
            const Head &head = net.head[h];
            run_head<true>(head, net.fused, A, Y, delta, scale, costs, ld, vectors);
            A += head.units * ld;
            Y += head.units * ld;
            if (delta) delta += head.units * ld;
        }
    }

    // A[L] from Z[L], for a prediction.
    static void activate(const Network &net, T *A, long ld, long count) {
        const long vectors = (count + S::lanes - 1) / S::lanes;
        for (int h = 0; h < net.heads; A += net.head[h].units * ld, ++h)
            Act::apply(net.head[h].activation, A, nullptr, net.head[h].units, ld, vectors);
    }

  private:
    // PART: one of several heads, whose cost and δ are multiplied by the head's weight.
    template <bool PART>
    static void run_head(const Head &head, bool may_fuse, T *A, const T *Y, T *delta,
                         const T *scale, T *costs, long ld, long vectors) {
        Cost::List::visit(head.cost.kind, [&](auto tag) {
            using Kind = typename decltype(tag)::Type;
            using Partner = typename Kind::Partner;
            if constexpr (!std::is_void_v<Partner>) {
                constexpr int partner = Act::List::template place_of<Partner>();
                static_assert(partner >= 0);
                if (may_fuse && head.activation.kind == partner)
                    return each_vector<Kind, PART, true>(head, A, Y, delta, scale, costs, ld,
                                                         vectors);
            }
            // σ′ is stored in δ and multiplied by ∇ₐC below; without δ it is not needed.
            Act::apply(head.activation, A, delta, head.units, ld, vectors);
            each_vector<Kind, PART, false>(head, A, Y, delta, scale, costs, ld, vectors);
        });
    }

    template <typename Kind, bool PART, bool FUSED>
    static void each_vector(const Head &head, T *A, const T *Y, T *delta, const T *scale, T *costs,
                            long ld, long vectors) {
        const T weight = T(head.weight);
        const Settings<T> own(head.cost);
        for (long v = 0; v < vectors; ++v, A += S::lanes, Y += S::lanes) {
            Delta to{delta ? delta + v * S::lanes : nullptr, V{}, ld};
            if (to) to.share = S::load(scale + v * S::lanes);
            if (PART) to.share *= weight;
            V C;
            if constexpr (FUSED) {
                C = Kind::fused(A, Y, to, head.units, ld, own);
            } else {
                C = long_way<Kind>(head, A, Y, to, ld, own);
            }
            T *const cost = costs + v * S::lanes;
            S::store(cost, PART ? S::load(cost) + weight * C : C);
        }
    }

    // A cost from A, ∇ₐC, and BP1 or BP1s.
    template <typename Kind>
    CHAINRULE_INLINE V long_way(const Head &head, const T *A, const T *Y, const Delta &to, long ld,
                                const Settings<T> &own) {
        const bool jacobian = Act::through(head.activation) == Through::jacobian;
        V C = V{};
        for (int j = 0; j < head.units; ++j) {
            const typename Cost::Pair c = Kind::of(S::load(A + j * ld), S::load(Y + j * ld), own);
            C += S::rounded(c.cost); // prevents a fused multiply-add, which some costs would allow
            if (!to) continue;
            // BP1: δ holds σ′ already.
            T *const d = to.to + j * ld;
            S::store(d, jacobian ? c.gradient : c.gradient * S::load(d));
        }
        if (!to) return C;
        if (jacobian) Act::error(head.activation, to.to, A, head.units, ld, 1);
        for (int j = 0; j < head.units; ++j)
            to.put(j, S::load(to.to + j * ld));
        return C;
    }
};

} // namespace chainrule::CHAINRULE_ISA
