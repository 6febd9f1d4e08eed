def Bound (n : Nat) : Nat := n + 2
def f (n : Nat) : Fin (Bound n) := ⟨n, by unfold Bound; omega⟩
theorem t (n : Nat) : (f n).val = n := rfl
