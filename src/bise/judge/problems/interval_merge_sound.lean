namespace IntervalMerge

/-- Join closed intervals that meet; they come in the order of their beginnings. -/
def merge : List (Int × Int) → List (Int × Int)
  | [] => []
  | [i] => [i]
  | (a, b) :: (c, d) :: rest =>
    if c ≤ b then merge ((a, max b d) :: rest) else (a, b) :: merge ((c, d) :: rest)
termination_by is => is.length

def Covers (is : List (Int × Int)) (x : Int) : Prop := ∃ i, i ∈ is ∧ i.1 ≤ x ∧ x ≤ i.2

def Sorted (is : List (Int × Int)) : Prop := is.Pairwise (fun i j => i.1 ≤ j.1)

theorem covers_merge (is : List (Int × Int)) (h : Sorted is) (x : Int) :
    Covers (merge is) x ↔ Covers is x := sorry

theorem merge_separated (is : List (Int × Int)) (h : Sorted is) :
    (merge is).Pairwise (fun i j => i.2 < j.1) := sorry

theorem length_merge_le (is : List (Int × Int)) : (merge is).length ≤ is.length := sorry

end IntervalMerge
