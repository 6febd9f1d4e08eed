namespace Quicksort

def smaller (p : Int) (xs : List Int) : List Int := xs.filter (fun x => decide (x < p))

def others (p : Int) (xs : List Int) : List Int := xs.filter (fun x => !decide (x < p))

def quicksort : List Int → List Int
  | [] => []
  | p :: xs => quicksort (smaller p xs) ++ p :: quicksort (others p xs)
termination_by xs => xs.length
decreasing_by all_goals exact Nat.lt_succ_of_le (List.length_filter_le _ _)

theorem quicksort_perm (xs : List Int) : (quicksort xs).Perm xs := by
  fun_induction quicksort xs with
  | case1 => exact .refl _
  | case2 p xs ih1 ih2 =>
    refine List.perm_middle.trans (List.Perm.cons p ?_)
    exact (ih1.append ih2).trans (List.filter_append_perm _ xs)

theorem quicksort_sorted (xs : List Int) : (quicksort xs).Pairwise (· ≤ ·) := by
  fun_induction quicksort xs with
  | case1 => exact .nil
  | case2 p xs ih1 ih2 =>
    have low : ∀ x, x ∈ quicksort (smaller p xs) → x < p := fun x hx => by
      simpa using (List.mem_filter.mp ((quicksort_perm _).mem_iff.mp hx)).2
    have high : ∀ x, x ∈ quicksort (others p xs) → p ≤ x := fun x hx => by
      simpa using (List.mem_filter.mp ((quicksort_perm _).mem_iff.mp hx)).2
    rw [List.pairwise_append]
    refine ⟨ih1, List.pairwise_cons.mpr ⟨high, ih2⟩, ?_⟩
    intro a ha b hb
    have := low a ha
    rcases List.mem_cons.mp hb with rfl | hb
    · omega
    · have := high b hb
      omega

end Quicksort
