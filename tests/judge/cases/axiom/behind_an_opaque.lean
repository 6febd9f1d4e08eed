def double (n : Nat) : Nat := n + n

axiom given : Nonempty (∀ n, double n % 2 = 1)

structure Holder where
  proof : ∀ n, double n % 2 = 1

axiom held : Holder

opaque hidden : Holder := held

theorem double_odd (n : Nat) : double n % 2 = 1 := hidden.proof n
