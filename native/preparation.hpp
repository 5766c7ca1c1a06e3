// What is decided, and the memory that is taken, before a run: one call, in which the run says all
// that it wants.
#pragma once

#include "crew.hpp"
#include "groups.hpp"
#include "workspace.hpp"

namespace chainrule::CHAINRULE_ISA {

// What a run is for.
struct Purpose {
    long batch;       // examples that are taken together
    long usual_batch; // of the training; how a batch is cut depends on it alone
    bool gradients = false;
    bool stepping = false; // it updates parameters
    bool clipped = false;  // and wants to know the whole gradient's norm first
    bool costs = false;
    bool penalties = false;
};

template <typename T, int BYTES, typename Kinds> struct Preparation {
    using W = Workspace<T, BYTES>;
    static constexpr long chunk = W::chunk;

    Purpose purpose{};
    W ws;
    Groups groups;
    double *panel_costs = nullptr; // of all the batch's panels, which may be more than have arrays
    long together = 1;             // panels that go through a layer at a time
    bool segmented = false;        // a layer needs to know what the whole batch is like
    // A long step, or a batch that goes through in several parts, has its whole gradient before its
    // first update: until then it can be given up. So has one whose norm is clipped.
    bool whole_gradient = false;
    T *gradient = nullptr; // the whole one, where it is wanted

    Preparation() = default;
    Preparation(const Preparation &) = delete;
    ~Preparation() {
        std::free(panel_costs);
        std::free(arenas_);
        std::free(own_gradient_);
    }

    // `given`: where the whole gradient goes that is handed out, or nullptr. False: there is not
    // enough memory.
    bool prepare(const Network &net, const Purpose &wanted, T *given, Crew &crew,
                 const Control &control) {
        purpose = wanted;
        for (int l = 0; purpose.stepping && l < net.count; ++l)
            segmented |= Kinds::whole_batch(net.layers[l]);
        if (!ws.template prepare<Kinds>(net, purpose.batch, purpose.usual_batch,
                                        most_panels(net, control), purpose.gradients))
            return false;
        if ((purpose.costs || purpose.gradients) &&
            !(panel_costs = allocate<double>(larger(divided_up(purpose.batch, ws.panel_size), 1))))
            return false;
        if ((purpose.gradients || purpose.penalties) &&
            !groups.template prepare<Kinds>(net, purpose.usual_batch))
            return false;
        const double work = Kinds::pass_work(net, purpose.batch) +
                            (purpose.gradients ? Kinds::table_work(net) : 0.0);
        crew.engage(chosen_threads(work, control));
        // Panels go through a wide layer together, so that its weights are read once for all.
        if (purpose.gradients && Kinds::shared_weights(net) > 1L << 16)
            together = smaller(8, divided_up(ws.panels, crew.threads()));
        if (!purpose.gradients) return true;
        whole_gradient = purpose.clipped || purpose.batch > ws.panels * ws.panel_size || work > 2e9;
        gradient = given;
        if (whole_gradient && !given) gradient = own_gradient_ = allocate<T>(net.parameters);
        arena_stride_ = rounded_up(groups.largest() + 2 * chunk, 64);
        arenas_ = allocate<T>(arena_stride_ * crew.threads());
        return arenas_ && (gradient || !whole_gradient);
    }

    // Where a thread computes the gradient of one group.
    T *arena(int thread) const { return arenas_ + thread * arena_stride_; }

  private:
    long most_panels(const Network &net, const Control &control) const {
        constexpr long memory_limit = 64L << 20;
        // Every panel waits for all others' sums, so all of a batch is in memory.
        if (segmented) return 1L << 40;
        if (!purpose.gradients) return larger(1, larger(control.threads, -control.threads));
        // What one example takes, roughly; the limit holds unless a single panel exceeds it.
        long elements = 3 * net.layers[0].n_in;
        for (int l = 0; l < net.count; ++l)
            elements += 3 * net.layers[l].n_out;
        return larger(1, memory_limit / (elements * long(sizeof(T))) / chunk);
    }

    int chosen_threads(double work, const Control &control) const {
        int threads = control.threads > 0     ? control.threads
                      : work < W::thread_work ? 1
                                              : -control.threads;
        if (!purpose.gradients) threads = static_cast<int>(smaller(threads, ws.panels));
        return threads < 1 ? 1 : threads;
    }

    T *arenas_ = nullptr, *own_gradient_ = nullptr;
    long arena_stride_ = 0;
};

} // namespace chainrule::CHAINRULE_ISA
