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

theorem covers_cons (i : Int × Int) (is : List (Int × Int)) (x : Int) :
    Covers (i :: is) x ↔ (i.1 ≤ x ∧ x ≤ i.2) ∨ Covers is x := by
  simp [Covers]

theorem sorted_join {a b c d e : Int} {rest : List (Int × Int)}
    (h : Sorted ((a, b) :: (c, d) :: rest)) : Sorted ((a, e) :: rest) := by
  unfold Sorted at *
  rw [List.pairwise_cons] at *
  exact ⟨fun j hj => h.1 j (List.mem_cons_of_mem _ hj), (List.pairwise_cons.mp h.2).2⟩

theorem merge_lower (low : Int) (is : List (Int × Int)) (h : ∀ i, i ∈ is → low ≤ i.1) :
    ∀ i, i ∈ merge is → low ≤ i.1 := by
  fun_induction merge is with
  | case1 => exact h
  | case2 i => exact h
  | case3 a b c d rest hcb ih =>
    apply ih
    intro i hi
    rcases List.mem_cons.mp hi with rfl | hi
    · exact h (a, b) (by simp)
    · exact h i (by simp [hi])
  | case4 a b c d rest hcb ih =>
    intro i hi
    rcases List.mem_cons.mp hi with rfl | hi
    · exact h (a, b) (by simp)
    · exact ih (fun j hj => h j (List.mem_cons_of_mem _ hj)) i hi

theorem covers_merge (is : List (Int × Int)) (h : Sorted is) (x : Int) :
    Covers (merge is) x ↔ Covers is x := by
  fun_induction merge is with
  | case1 => exact Iff.rfl
  | case2 i => exact Iff.rfl
  | case3 a b c d rest hcb ih =>
    have hac : a ≤ c := (List.pairwise_cons.mp h).1 (c, d) (by simp)
    rw [ih (sorted_join h)]
    simp only [covers_cons]
    by_cases hr : Covers rest x
    · simp [hr]
    · simp only [hr, or_false]
      omega
  | case4 a b c d rest hcb ih =>
    rw [covers_cons, covers_cons, ih (List.pairwise_cons.mp h).2]

theorem merge_separated (is : List (Int × Int)) (h : Sorted is) :
    (merge is).Pairwise (fun i j => i.2 < j.1) := by
  fun_induction merge is with
  | case1 => exact .nil
  | case2 i => simp
  | case3 a b c d rest hcb ih => exact ih (sorted_join h)
  | case4 a b c d rest hcb ih =>
    have tail := (List.pairwise_cons.mp h).2
    refine List.pairwise_cons.mpr ⟨fun j hj => ?_, ih tail⟩
    have low := merge_lower c ((c, d) :: rest) (fun i hi => by
      rcases List.mem_cons.mp hi with rfl | hi
      · exact Int.le_refl _
      · exact (List.pairwise_cons.mp tail).1 i hi) j hj
    simp only
    omega

theorem length_merge_le (is : List (Int × Int)) : (merge is).length ≤ is.length := by
  fun_induction merge is <;> simp_all <;> omega

end IntervalMerge
