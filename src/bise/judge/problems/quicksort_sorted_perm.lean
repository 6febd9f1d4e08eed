namespace Quicksort

def smaller (p : Int) (xs : List Int) : List Int := xs.filter (fun x => decide (x < p))

def others (p : Int) (xs : List Int) : List Int := xs.filter (fun x => !decide (x < p))

def quicksort : List Int → List Int
  | [] => []
  | p :: xs => quicksort (smaller p xs) ++ p :: quicksort (others p xs)
termination_by xs => xs.length
decreasing_by all_goals exact Nat.lt_succ_of_le (List.length_filter_le _ _)

theorem quicksort_perm (xs : List Int) : (quicksort xs).Perm xs := sorry

theorem quicksort_sorted (xs : List Int) : (quicksort xs).Pairwise (· ≤ ·) := sorry

end Quicksort
