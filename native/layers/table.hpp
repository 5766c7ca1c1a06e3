// The kinds of layer by number: the compiled twin of LAYER_KINDS. One more kind is one more file
// and one more line in each function here that it has something to say to.
#pragma once

#include "batch_norm.hpp"
#include "category_embedding.hpp"
#include "dense.hpp"
#include "dropout.hpp"

namespace chainrule::CHAINRULE_ISA {

// `DenseKind`: how dense layers multiply.
template <typename T, int BYTES, typename DenseKind> struct Table {
    using C = Context<T, BYTES>;
    using W = Workspace<T, BYTES>;

    // Arrays in a panel beside A and D.
    template <typename Take>
    static void place(const Network &net, int l, W &ws, Take &&take, bool training) {
        if (net.layers[l - 1].kind == dense) DenseKind::place(net, l, ws, take, training);
    }

    // Memory that lasts over the steps; false: there is not enough.
    static bool prepare(const Network &net, int l, W &ws) {
        switch (net.layers[l - 1].kind) {
        case dropout:
        case category_embedding:
            return true;
        case batch_norm:
            return BatchNorm<T, BYTES>::prepare(net, l, ws);
        default:
            return DenseKind::prepare(net, l, ws);
        }
    }

    // What is kept of a group's parameters in another form, after they changed.
    static void renew(const C &c, const Group &group) {
        if (c.layer(group.layer + 1).kind == dense) DenseKind::renew(c, group);
    }

    // What a training step changes beside that, from what its examples were like.
    static void follow(const C &c, const Group &group) {
        if (c.layer(group.layer + 1).kind == batch_norm) BatchNorm<T, BYTES>::follow(c, group);
    }

    static void forward(const C &c, int l, const Block &b) {
        switch (c.layer(l).kind) {
        case dropout:
            return Dropout<T, BYTES>::forward(c, l, b);
        case batch_norm:
            return BatchNorm<T, BYTES>::forward(c, l, b);
        case category_embedding:
            return CategoryEmbedding<T, BYTES>::forward(c, l, b);
        default:
            return DenseKind::forward(c, l, b);
        }
    }

    // δ[l−1] from δ[l].
    static void backward(const C &c, int l, const Block &b) {
        switch (c.layer(l).kind) {
        case dropout:
            return Dropout<T, BYTES>::backward(c, l, b);
        case batch_norm:
            return BatchNorm<T, BYTES>::backward(c, l, b);
        case category_embedding:
            return; // it is the first layer
        default:
            return DenseKind::backward(c, l, b);
        }
    }

    // The gradient of a group over all panels.
    static void gradient(const C &c, const Group &group, long panels, long last_count, T *out) {
        switch (c.layer(group.layer + 1).kind) {
        case batch_norm:
            return BatchNorm<T, BYTES>::gradient(c, group, panels, last_count, out);
        case category_embedding:
            return CategoryEmbedding<T, BYTES>::gradient(c, group, panels, last_count, out);
        default:
            return DenseKind::gradient(c, group, panels, last_count, out);
        }
    }
};

} // namespace chainrule::CHAINRULE_ISA
