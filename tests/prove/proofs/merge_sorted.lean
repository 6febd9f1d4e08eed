namespace Merge

def merge : List Nat → List Nat → List Nat
  | [], ys => ys
  | x :: xs, [] => x :: xs
  | x :: xs, y :: ys =>
    if x ≤ y then x :: merge xs (y :: ys) else y :: merge (x :: xs) ys
termination_by xs ys => xs.length + ys.length

theorem merge_perm (xs ys : List Nat) : (merge xs ys).Perm (xs ++ ys) := by
  fun_induction merge xs ys with
  | case1 ys => exact .refl _
  | case2 x xs => simp
  | case3 x xs y ys h ih => exact ih.cons x
  | case4 x xs y ys h ih => exact (ih.cons y).trans List.perm_middle.symm

theorem merge_sorted (xs ys : List Nat)
    (hx : xs.Pairwise (· ≤ ·)) (hy : ys.Pairwise (· ≤ ·)) :
    (merge xs ys).Pairwise (· ≤ ·) := by
  revert hx hy
  fun_induction merge xs ys with
  | case1 ys => exact fun _ hy => hy
  | case2 x xs => exact fun hx _ => hx
  | case3 x xs y ys h ih =>
    intro hx hy
    have hx' := List.pairwise_cons.mp hx
    have hy' := List.pairwise_cons.mp hy
    refine List.pairwise_cons.mpr ⟨?_, ih hx'.2 hy⟩
    intro z hz
    rcases List.mem_append.mp ((merge_perm _ _).mem_iff.mp hz) with hz | hz
    · exact hx'.1 z hz
    · rcases List.mem_cons.mp hz with rfl | hz
      · exact h
      · exact Nat.le_trans h (hy'.1 z hz)
  | case4 x xs y ys h ih =>
    intro hx hy
    have hx' := List.pairwise_cons.mp hx
    have hy' := List.pairwise_cons.mp hy
    refine List.pairwise_cons.mpr ⟨?_, ih hx hy'.2⟩
    intro z hz
    rcases List.mem_append.mp ((merge_perm _ _).mem_iff.mp hz) with hz | hz
    · rcases List.mem_cons.mp hz with rfl | hz
      · omega
      · have := hx'.1 z hz
        omega
    · exact hy'.1 z hz

end Merge
