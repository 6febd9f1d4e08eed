def double (n : Nat) : Nat := n + n

structure Witness (n : Nat) where
  half : Nat
  is_half : n = half + half

inductive Colour | red | green deriving DecidableEq, Repr

instance : Inhabited (Witness 0) := ⟨⟨0, rfl⟩⟩

instance (n : Nat) : Inhabited (Witness (double n)) := ⟨⟨n, rfl⟩⟩

theorem of_witness {n : Nat} (w : Witness n) : n % 2 = 0 := by
  have := w.is_half
  omega

theorem double_even (n : Nat) : double n % 2 = 0 := of_witness default
