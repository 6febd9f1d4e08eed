def double (n : Nat) : Nat := n + n
structure Holder where
  p : ∀ n : Nat, (n + n) % 2 = 1
axiom ne : Nonempty Holder
attribute [local instance] ne
noncomputable opaque held : Holder
theorem double_odd (n : Nat) : double n % 2 = 1 := held.p n
