// The kinds of layer, the compiled twin of LAYER_KINDS. A new kind takes one file with all of its
// members (kind.hpp describes them) and one entry in the list.
#pragma once

#include "batch_ensemble.hpp"
#include "batch_norm.hpp"
#include "category_embedding.hpp"
#include "dense.hpp"
#include "dropout.hpp"
#include "grouped_dense.hpp"
#include "parametric_activation.hpp"
#include "periodic_embedding.hpp"
#include "piecewise_linear.hpp"
#include "scale.hpp"

namespace chainrule::CHAINRULE_ISA {

// `DenseKind`: the implementation of the dense layers' products.
template <typename T, int BYTES, typename DenseKind> struct Table {
    using C = Context<T, BYTES>;
    using W = Workspace<T, BYTES>;

    using List =
        Types<DenseKind, GroupedDense<T, BYTES>, BatchEnsemble<T, BYTES>, Dropout<T, BYTES>,
              BatchNorm<T, BYTES>, CategoryEmbedding<T, BYTES>, PeriodicEmbedding<T, BYTES>,
              PiecewiseLinear<T, BYTES>, Scale<T, BYTES>, ParametricActivation<T, BYTES>>;

    // Calls f with a layer's kind.
    template <typename F> CHAINRULE_INLINE void visit(const Layer &layer, F &&f) {
        List::visit(layer.kind, [&](auto tag) __attribute__((always_inline)) {
            f(typename decltype(tag)::Type{});
        });
    }
    // The sum of f over all layers.
    template <typename F> static double sum(const Network &net, F &&f) {
        double sum = 0;
        for (int l = 1; l <= net.count; ++l) {
            const Layer &layer = net.layers[l - 1];
            visit(layer, [&](auto kind) { sum += f(kind, layer, l == 1); });
        }
        return sum;
    }

    static double pass_work(const Network &net, long batch) {
        return sum(net, [&](auto kind, const Layer &layer, bool first) {
            return kind.pass_work(layer, batch, first);
        });
    }
    static double table_work(const Network &net) {
        return sum(net, [](auto kind, const Layer &layer, bool) { return kind.table_work(layer); });
    }
    static long shared_weights(const Network &net) {
        long most = 0;
        for (int l = 0; l < net.count; ++l)
            visit(net.layers[l],
                  [&](auto kind) { most = larger(most, kind.shared_weights(net.layers[l])); });
        return most;
    }
    static bool whole_batch(const Layer &layer) {
        bool whole = false;
        visit(layer, [&](auto kind) { whole = kind.whole_batch; });
        return whole;
    }

    template <typename Emit> static void divide(const Layer &layer, Emit &&emit) {
        visit(layer, [&](auto kind) { kind.divide(layer, emit); });
    }
    static double group_work(const Layer &layer, const Group &group, long batch) {
        double work = 0;
        visit(layer, [&](auto kind) { work = kind.group_work(layer, group, batch); });
        return work;
    }

    template <typename Take>
    static void place(const Network &net, int l, W &ws, Take &&take, bool training) {
        visit(net.layers[l - 1], [&](auto kind) {
            ws.place[l].through = kind.through(net.layers[l - 1]);
            kind.place(net, l, ws, take, training);
        });
    }
    static long parts(const Layer &layer, bool first, const W &ws) {
        long elements = 0;
        visit(layer, [&](auto kind) { elements = kind.parts(layer, first, ws); });
        return elements;
    }
    static typename Simd<T, BYTES>::V gather(const C &c, long panel, const T *const *row,
                                             long count) {
        if constexpr (DenseKind::copies) return DenseKind::gather(c, panel, row, count);
        return typename Simd<T, BYTES>::V{};
    }
    static bool packed(const Network &net, int l) {
        const Layer &layer = net.layers[l ? l - 1 : 0];
        return layer.kind == List::template place_of<DenseKind>() && DenseKind::packed(net, l);
    }
    static long elements(const Network &net, int l) {
        return packed(net, l) ? DenseKind::elements(net, l) : LayerKind<T, BYTES>::elements(net, l);
    }
    static constexpr bool copies = DenseKind::copies;
    static bool prepare(const Network &net, int l, W &ws) {
        bool ready = false;
        visit(net.layers[l - 1], [&](auto kind) {
            ready = !(ws.training || kind.copies) || kind.prepare(net, l, ws);
        });
        return ready;
    }

    static void forward(const C &c, int l, const PanelSpan &some) {
        visit(c.layer(l), [&](auto kind) { kind.forward(c, l, some); });
    }
    static void backward(const C &c, int l, const PanelSpan &some) {
        visit(c.layer(l), [&](auto kind) { kind.backward(c, l, some); });
    }
    static void statistics(const C &c, int l, long begin, long end, long panels, long last_count) {
        visit(c.layer(l),
              [&](auto kind) { kind.statistics(c, l, begin, end, panels, last_count); });
    }
    static void errors(const C &c, int l, long begin, long end, long panels, long last_count) {
        visit(c.layer(l), [&](auto kind) { kind.errors(c, l, begin, end, panels, last_count); });
    }

    static void gradient(const C &c, const Group &group, const PanelSpan &some, T *out) {
        visit(c.layer(group.l()), [&](auto kind) { kind.gradient(c, group, some, out); });
    }
    static void renew(const C &c, const Group &group) {
        visit(c.layer(group.l()), [&](auto kind) { kind.renew(c, group); });
    }
    static void follow(const C &c, const Group &group) {
        visit(c.layer(group.l()), [&](auto kind) { kind.follow(c, group); });
    }
};

} // namespace chainrule::CHAINRULE_ISA
