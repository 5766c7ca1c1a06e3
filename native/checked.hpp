// A network and its data as a caller describes them. Names are resolved to indices in the core's
// lists, and every size is checked once, before any pointer reaches a kernel. Without Python.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plan.hpp"
#include "tables.hpp"

namespace chainrule {

/// An entry of one of the core's lists by name, and its settings by name.
struct Named {
    std::string name;
    std::map<std::string, double> settings{};
};

struct NamedBlock {
    long offset, rows, columns;
    std::string group;
    double rate = 1; // factor of the learning rate
    long hidden = 0; // of how many hidden matrices it consists, one above the other
};

struct NamedLayer {
    std::string kind;
    int n_in, n_out;
    Named activation{"identity"};
    std::map<std::string, std::vector<double>> settings{};
    std::vector<NamedBlock> blocks{};
};

struct NamedHead {
    int units;
    Named activation, cost;
    double weight = 1;
};

/// An array owned by the caller: rows × columns, or `rows` numbers.
template <typename T> struct Array {
    T *data = nullptr;
    long rows = 0, columns = 1;
    long count() const { return rows * columns; }
};

/// The arrays of a training other than the examples.
template <typename T> struct TrainingArrays {
    Array<T> parameters, slots;
    Array<const double> learning_rates;
    Array<double> costs, gradient_norms;
    std::optional<Array<double>> penalties{};
    std::optional<Array<const double>> shares{}; // of averages, WA1
};

/// A network in the kernels' format. Everything that it returns has been checked; its methods throw
/// std::invalid_argument for arrays that do not fit.
class Plan {
  public:
    Plan(const std::vector<NamedLayer> &layers, const std::vector<NamedHead> &heads, bool fused);
    Plan(const Plan &) = delete;

    const Network &network() const { return network_; }
    long n_in() const { return layers_.front().n_in; }
    long n_out() const { return layers_.back().n_out; }
    /// The number of weights: about the multiplications of one example's forward pass.
    long weights() const { return weights_; }

    /// Targets are rows of Y, or classes; without `order`, examples are taken in the order of X.
    template <typename T>
    Examples<T> examples(Array<const T> X, std::optional<Array<const T>> Y,
                         std::optional<Array<const std::int32_t>> classes,
                         std::optional<Array<const T>> weights,
                         std::optional<Array<const std::int32_t>> order) const;

    /// `ranks`: of which `check_ranks` has approved.
    template <typename T>
    Training<T> training(const TrainingArrays<T> &arrays, const Examples<T> &examples,
                         const Named &optimizer, std::int64_t t, long batch_size,
                         const Objective &objective, std::uint64_t key,
                         const LossRule *rule = nullptr, const Ranks<T> *ranks = nullptr) const;

    void check_parameters(long count) const;
    /// The message of ranks holds a gradient and a cost.
    void check_ranks(int rank, int size, long message) const;
    template <typename T> void check_outputs(Array<const T> X, Array<T> out) const;

    /// Whether the first layer can read m rows of X: all codes must be in their tables.
    template <typename T>
    bool readable(const T *X, long m, const std::int32_t *order = nullptr) const;

  private:
    void take(const NamedLayer &layer, long &at);
    void take(const NamedHead &head);

    std::vector<Layer> layers_;
    std::vector<std::vector<Block>> blocks_;
    std::vector<std::vector<double>> numbers_; // values of the layers' settings
    std::vector<std::vector<Values>> settings_;
    std::vector<Head> heads_;
    Network network_{};
    long weights_ = 0;
    bool reads_codes_ = false;
};

/// Whether all indices are in [0, end).
bool all_below(const Array<const std::int32_t> &indices, long end);

/// An element-wise activation, for tests of the activation functions.
Choice element_wise(const Named &activation);

} // namespace chainrule
