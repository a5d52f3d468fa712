package io.signalpost;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.net.URL;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Who may know whom: io.agora and the native API on the shell, the shell on the core, the core on nothing. */
class ArchitectureTest {
    private static final String CORE = "io.signalpost.core..";
    private static final String SHELL = "io.signalpost.shell..";
    private static final String NATIVE = "io.signalpost";
    private static final String DROP_IN = "io.agora..";

    private static JavaClasses all; // what is in the JAR; made once

    @BeforeAll
    static void read() {
        URL main = NeedsAndroid24.class.getProtectionDomain().getCodeSource().getLocation();
        all = new ClassFileImporter().importUrl(main);
    }

    @Test
    @DisplayName("the core knows java.*, org.json and itself")
    void coreKnowsLittle() {
        classes()
                .that()
                .resideInAPackage(CORE)
                .should()
                .onlyDependOnClassesThat(resideInAnyPackage("java..", "org.json", CORE))
                .check(all);
    }

    @Test
    @DisplayName("the core is pure: no thread, I/O, chance or log")
    void coreIsPure() {
        noClasses()
                .that()
                .resideInAPackage(CORE)
                .should()
                .dependOnClassesThat(resideInAnyPackage(
                        "java.util.concurrent..", "java.util.logging..", "java.io..", "java.nio.file..", "java.net.."))
                .orShould()
                .dependOnClassesThat()
                .areAssignableTo(Thread.class)
                .orShould()
                .dependOnClassesThat()
                .areAssignableTo(Random.class)
                .check(all);
    }

    @Test
    @DisplayName("the core is pure: the clock is an argument")
    void coreHasNoClock() {
        noClasses()
                .that()
                .resideInAPackage(CORE)
                .should()
                .callMethod(System.class, "currentTimeMillis")
                .orShould()
                .callMethod(System.class, "nanoTime")
                .orShould()
                .callMethod(Math.class, "random")
                .orShould()
                .dependOnClassesThat()
                .haveFullyQualifiedName("java.util.Date")
                .orShould()
                .dependOnClassesThat()
                .haveFullyQualifiedName("java.util.Calendar")
                .check(all);
    }

    @Test
    @DisplayName("the shell knows the core and OkHttp")
    void shellKnowsCore() {
        classes()
                .that()
                .resideInAPackage(SHELL)
                .should()
                .onlyDependOnClassesThat(
                        resideInAnyPackage("java..", "javax.net..", "org.json", "okhttp3..", "okio..", CORE, SHELL))
                .check(all);
    }

    @Test
    @DisplayName("io.agora knows shell and core, and of Android the Context; not the native API")
    void dropInKnowsShell() {
        classes()
                .that()
                .resideInAPackage(DROP_IN)
                .should()
                .onlyDependOnClassesThat(resideInAnyPackage(
                        "java..", "org.json", "android.content..", "android.os", CORE, SHELL, DROP_IN))
                .check(all);
    }

    @Test
    @DisplayName("the native API knows shell and core, and nothing of Android")
    void nativeKnowsShell() {
        classes()
                .that()
                .resideInAPackage(NATIVE)
                .should()
                .onlyDependOnClassesThat(resideInAnyPackage("java..", "org.json", CORE, SHELL, NATIVE))
                .check(all);
    }

    @Test
    @DisplayName("what needs Android 24 is used by its like alone")
    void markedStaysApart() {
        noClasses()
                .that()
                .resideInAnyPackage(CORE, SHELL, DROP_IN)
                .should()
                .dependOnClassesThat()
                .areAnnotatedWith(NeedsAndroid24.class)
                .check(all);
    }

    @Test
    @DisplayName("nothing but io.agora knows io.agora")
    void nothingKnowsDropIn() {
        noClasses()
                .that()
                .resideOutsideOfPackage(DROP_IN)
                .should()
                .dependOnClassesThat(resideInAPackage(DROP_IN))
                .check(all);
    }

    @Test
    @DisplayName("no two packages know each other")
    void noCycles() {
        slices().matching("io.(**)").should().beFreeOfCycles().check(all);
    }
}
