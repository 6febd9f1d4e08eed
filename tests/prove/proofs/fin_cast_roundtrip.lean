namespace FinCast

def widen {n : Nat} (k : Nat) (i : Fin n) : Fin (n + k) :=
  ⟨i.val, Nat.lt_of_lt_of_le i.isLt (Nat.le_add_right n k)⟩

def narrow {n k : Nat} (j : Fin (n + k)) : Option (Fin n) :=
  if h : j.val < n then some ⟨j.val, h⟩ else none

theorem narrow_widen {n : Nat} (k : Nat) (i : Fin n) : narrow (widen k i) = some i := by
  simp [narrow, widen]

theorem widen_narrow {n k : Nat} (j : Fin (n + k)) (i : Fin n) (h : narrow j = some i) :
    widen k i = j := by
  unfold narrow at h
  split at h
  · cases h
    rfl
  · cases h

theorem narrow_eq_none {n k : Nat} (j : Fin (n + k)) : narrow j = none ↔ n ≤ j.val := by
  simp [narrow]

end FinCast
