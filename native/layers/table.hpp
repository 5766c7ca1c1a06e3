// The kinds of layer by number: the compiled twin of LAYER_KINDS. One more kind is one more file
// and one more line in each function here that it has something to say to.
#pragma once

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
        return net.layers[l - 1].kind != dense || DenseKind::prepare(net, l, ws);
    }

    // What is kept of a group's parameters in another form, after they changed.
    static void renew(const C &c, const Group &group) { DenseKind::renew(c, group); }

    static void forward(const C &c, int l, const Block &b) {
        switch (c.layer(l).kind) {
        case dropout:
            return Dropout<T, BYTES>::forward(c, l, b);
        default:
            return DenseKind::forward(c, l, b);
        }
    }

    // δ[l−1] from δ[l].
    static void backward(const C &c, int l, const Block &b) {
        switch (c.layer(l).kind) {
        case dropout:
            return Dropout<T, BYTES>::backward(c, l, b);
        default:
            return DenseKind::backward(c, l, b);
        }
    }

    // The gradient of a group over all panels.
    static void gradient(const C &c, const Group &group, long panels, long last_count, T *out) {
        DenseKind::gradient(c, group, panels, last_count, out);
    }
};

} // namespace chainrule::CHAINRULE_ISA
